// Element kinds of a document and their colours, the same in every view; the colours are classes.
export const KINDS = [
  "paragraph",
  "heading1",
  "list",
  "table",
  "figure",
  "chart",
  "caption",
  "equation",
  "header",
  "footer",
  "footnote",
  "index",
];

export const kindOf = (category) => (KINDS.includes(category) ? category : "paragraph");
