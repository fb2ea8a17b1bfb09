const GMAIL_FORWARD = /class=["']?[^"'>]{0,100}gmail_(?:quote|attr)/i;
const RDFA = /\stypeof\s{0,9}=\s{0,9}["']?[a-z]/i;

/** Why mail that was forwarded inline may have lost its data, and what to do about it. `text` is the text or HTML with the forward. */
export function causeOfEmptyForward(text: string): string {
  return GMAIL_FORWARD.test(text)
    ? "It was forwarded by hand from Gmail, which strips scripts and microdata: let a Gmail filter forward such mail, or forward it as an attachment"
    : "It was forwarded by hand, and most mail programs strip scripts then: redirect it, or forward it as an attachment";
}

/** What a page has instead of what is read here, for the note about it; "" when there is nothing to say. */
export function otherMarkupIn(html: string): string {
  return /typeof/i.test(html) && RDFA.test(html) ? "; it has RDFa, which is not read" : "";
}
