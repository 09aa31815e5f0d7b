// One streamed answer: its text as it grows, and how fast it comes.
import { send } from "./api.js";
import { events } from "./sse.js";

// Times closer than this say how a network delivers, not how fast a model answers.
const SHORTEST_MS = 50;

// Ask for an answer; `grown(text, facts)` is told of every step. Returns the facts at the end:
// {tokens, speed, first, reason}. Whatever came before a fault is in `facts.text` of what is told.
export async function answer(body, signal, grown) {
  const began = performance.now();
  const wanted = { ...body, stream: true, stream_options: { include_usage: true } };
  const response = await send("/v1/chat/completions", { json: wanted, signal });
  let text = "";
  let firstAt = null;
  let lastAt = began;
  let steps = 0;
  let tokens = null;
  let reason = null;
  // Tokens a second since the first; since the question where all came at once.
  const speed = (count) => {
    if (firstAt === null || count < 2) return null;
    const since = lastAt - firstAt < SHORTEST_MS ? began : firstAt;
    return ((since === began ? count : count - 1) * 1000) / (lastAt - since);
  };
  for await (const chunk of events(response)) {
    tokens = chunk.usage?.completion_tokens ?? tokens;
    const choice = chunk.choices?.[0];
    reason = choice?.finish_reason ?? reason;
    const piece = choice?.delta?.content;
    if (!piece) continue;
    text += piece;
    steps += 1;
    lastAt = performance.now();
    firstAt ??= lastAt;
    grown(text, speed(steps));
  }
  const first = firstAt === null ? null : (firstAt - began) / 1000;
  return { tokens: tokens ?? steps, speed: speed(tokens ?? steps), first, reason };
}
