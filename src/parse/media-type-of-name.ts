const MEDIA_TYPES: Readonly<Record<string, string>> = {
  json: "application/json",
  jsonld: "application/ld+json",
  ndjson: "application/x-ndjson",
  jsonl: "application/x-ndjson",
  html: "text/html",
  htm: "text/html",
  txt: "text/plain",
  csv: "text/csv",
  xml: "application/xml",
  pdf: "application/pdf",
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  zip: "application/zip",
  eml: "message/rfc822",
};

/** The media type of a file that stands where no media type is written (uuencode, TNEF), by its extension. */
export function mediaTypeOfName(filename: string | null): string {
  const extension = /\.([a-z0-9]{1,8})$/i.exec(filename ?? "")?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(MEDIA_TYPES, extension) ? (MEDIA_TYPES[extension] ?? "") : "application/octet-stream";
}
