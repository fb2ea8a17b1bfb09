/** What of the daemon's settings a command needs to know, which runs in another environment: kept in the registry. */
export interface PublishedSettings {
  /** Undefined where the daemon has only the default. */
  readonly mailDomains?: readonly string[];
  readonly publicUrl?: string;
  /** Names of the variables for hooks' secrets that are set there; never a value. */
  readonly secretVariables: readonly string[];
  /** Tells one POSTHORN_SECRETS_KEY from another and nothing of it; null where none is set. */
  readonly secretsKeyId: string | null;
}

/** What came back from the bucket; undefined when it is nothing that a daemon wrote. Never throws. */
export function readPublishedSettings(text: string): PublishedSettings | undefined {
  try {
    const value = JSON.parse(text) as Partial<PublishedSettings> | null;
    const { mailDomains, publicUrl, secretVariables, secretsKeyId = null } = value ?? {};
    if (!areTexts(secretVariables)) return undefined;
    return {
      secretVariables,
      secretsKeyId: typeof secretsKeyId === "string" ? secretsKeyId : null,
      ...(areTexts(mailDomains) && mailDomains.length > 0 && { mailDomains }),
      ...(typeof publicUrl === "string" && { publicUrl }),
    };
  } catch {
    // Somebody else wrote into our bucket: then a command has only its own settings.
    return undefined;
  }
}

const areTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");
