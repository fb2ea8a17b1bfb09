/**
 * Code that is there could not be loaded: no file could be opened any more, or the installation is broken. A fault of
 * ours, whatever the mail at hand is, so the mail has to wait.
 */
export class LoadError extends Error {}

/** Runs `load`, which loads code at its first use; what it throws comes out as {@link LoadError}. */
export async function loadLate<Code>(load: () => Code | Promise<Code>): Promise<Code> {
  try {
    return await load();
  } catch (cause) {
    throw loadError(cause);
  }
}

/** {@link loadLate} for what cannot wait. */
export function loadLateNow<Code>(load: () => Code): Code {
  try {
    return load();
  } catch (cause) {
    throw loadError(cause);
  }
}

function loadError(cause: unknown): LoadError {
  return new LoadError(`a part of the program could not be loaded: ${String(cause)}`, { cause });
}
