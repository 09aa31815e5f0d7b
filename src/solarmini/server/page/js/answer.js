// One streamed answer: its text as it grows, and how fast it comes.
import { send } from "./api.js";
import { events } from "./sse.js";

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
  const speed = (count) =>
    firstAt === null || lastAt <= firstAt || count < 2
      ? null
      : ((count - 1) * 1000) / (lastAt - firstAt);
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
