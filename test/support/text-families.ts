/** What a hostile text is made of: a piece that comes again and again, in any size. */
export interface TextFamily {
  readonly name: string;
  make(size: number): string;
}

const repeated = (unit: string) => (size: number) => unit.repeat(Math.ceil(size / unit.length));
/** Numbered, so that none is like another. */
const numbered = (unit: (index: number) => string) => (size: number) => {
  const pieces: string[] = [];
  for (let index = 0, length = 0; length < size; index += 1) {
    const piece = unit(index);
    pieces.push(piece);
    length += piece.length;
  }
  return pieces.join("");
};

/** Pieces that mean something to one reader or another, and what they are called. */
const UNITS: Readonly<Record<string, string>> = {
  letters: "a",
  "letters of three bytes": "日",
  blanks: " ",
  tabs: "\t",
  "no-break spaces": "\u00a0",
  LF: "\n",
  CR: "\r",
  CRLF: "\r\n",
  folds: "\r\n ",
  NULs: "\0",
  quotes: '"',
  apostrophes: "'",
  backslashes: "\\",
  "escaped quotes": '\\"',
  "a quote and a backslash": '"\\',
  "opening parentheses": "(",
  "comments that close": "(a)",
  "opening brackets": "[",
  "bracketed names": "[a]",
  "opening braces": "{",
  "opening angles": "<",
  addresses: "a@b.c, ",
  "angled addresses": "a <b@c>,",
  at: "@",
  commas: ",",
  colons: ":",
  groups: "a:;",
  semicolons: ";",
  equals: "=",
  parameters: "; a=b",
  "quoted parameters": '; a="b',
  tags: "a=b;",
  "hyphens in lines": "\n--",
  dots: ".",
  slashes: "/",
  comments: "/* */",
  stars: "*",
  percents: "%",
  ampersands: "&",
  entities: "&quot;",
  "starts of encoded words": "=?",
  "encoded words": "=?utf-8?Q?=41?= ",
  "soft line ends": "=\r\n",
  fields: "a: b\r\n",
  "fields without a value": "a:",
  "quote marks": "> ",
  fences: "```\n",
  tildes: "~",
  links: "https://a.b/ ",
  "tags that never close": "<a b='",
  elements: "<p>",
  "members of JSON": '"a":1,',
  "braces and quotes": '{"a":',
  dates: "Fri, 1 Mar 2024 ",
};

/** At least forty kinds of text that make a careless reader take time that grows faster than they do. */
export const TEXT_FAMILIES: readonly TextFamily[] = [
  ...Object.entries(UNITS).map(([name, unit]) => ({ name, make: repeated(unit) })),
  { name: "names that are all different", make: numbered((index) => `a${index}: b\r\n`) },
  { name: "parameters that are all different", make: numbered((index) => `; a*${index}=b`) },
  { name: "many different letters", make: numbered((index) => String.fromCodePoint(0x4e00 + (index % 20_000))) },
];
