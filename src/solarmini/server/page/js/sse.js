// Server-sent events of an answer, one parsed JSON value after the other.
import { Fault, faultIn } from "./api.js";

export async function* events(response) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += decoder.decode(value ?? new Uint8Array(), { stream: !done });
      const parts = rest.split(/\r?\n\r?\n/);
      rest = parts.pop();
      for (const part of parts) {
        const data = dataOf(part);
        if (data === "[DONE]") return;
        if (data) yield parsed(data);
      }
      if (done) throw new Fault(0, "cut_off", "");
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function dataOf(part) {
  const lines = part.split(/\r?\n/).filter((line) => line.startsWith("data:"));
  return lines.map((line) => line.slice(5).trimStart()).join("\n");
}

function parsed(data) {
  const value = JSON.parse(data);
  if (value.error) throw faultIn(value.error);
  return value;
}
