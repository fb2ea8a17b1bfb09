const PATIENCE_MS = 20_000;
const STEP_MS = 20;

/** Tries `check` until it does not throw; after 20 seconds its last error is the test's. For what other processes do in their time. */
export async function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}
