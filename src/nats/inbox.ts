/** Below `_INBOX.>`, which accounts usually allow, and narrow enough to be allowed alone. */
export const INBOX_PREFIX = "_INBOX.posthorn";
