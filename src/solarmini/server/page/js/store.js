// What the browser keeps. Choices outlive the tab; the key and the conversation do not.

function of(area) {
  return {
    get(name, fallback = null) {
      try {
        const text = area().getItem(`solar.${name}`);
        return text === null ? fallback : JSON.parse(text);
      } catch {
        return fallback;
      }
    },
    set(name, value) {
      try {
        if (value === null) area().removeItem(`solar.${name}`);
        else area().setItem(`solar.${name}`, JSON.stringify(value));
      } catch {
        // a full or forbidden storage loses a convenience, nothing more
      }
    },
  };
}

export const lasting = of(() => localStorage);
export const tab = of(() => sessionStorage);

// Plain words, as early.js reads them before any module runs.
export function keepWord(name, value) {
  try {
    if (value === null) localStorage.removeItem(`solar.${name}`);
    else localStorage.setItem(`solar.${name}`, value);
  } catch {
    // as above
  }
}
