/**
 * Undoes format=flowed: a line that ends in a blank goes on in the next line of the same quote depth.
 *
 * One pass over the lines, pieces joined once at the end: the obvious `+=` made 2 MB take minutes in other parsers.
 * Source: RFC 3676 §4.1 to §4.5.
 */
export function unflow(text: string, deleteSpace: boolean): string {
  const out: string[] = [];
  let open: string[] = [];
  let openDepth = 0;
  const finish = () => {
    if (open.length > 0) out.push(`${openDepth > 0 ? `${">".repeat(openDepth)} ` : ""}${open.join("")}`);
    open = [];
  };
  for (const line of text.split(/\r\n?|\n/)) {
    const depth = quoteDepth(line);
    let content = line.slice(depth);
    if (content.startsWith(" ")) content = content.slice(1);
    if (open.length > 0 && depth !== openDepth) finish();
    openDepth = depth;
    const isSignature = content === "-- ";
    if (isSignature) finish();
    const flows = content.endsWith(" ") && !isSignature;
    open.push(flows && deleteSpace ? content.slice(0, -1) : content);
    if (!flows) finish();
  }
  finish();
  return out.join("\n");
}

function quoteDepth(line: string): number {
  let depth = 0;
  while (line[depth] === ">") depth += 1;
  return depth;
}
