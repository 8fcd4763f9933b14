/** Tries until the check does not throw, and returns what it returned. @throws what it threw last, after `timeout` ms */
export async function eventually<T>(check: () => T | Promise<T>, { timeout = 20_000 } = {}): Promise<T> {
  for (const until = Date.now() + timeout; ; ) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > until) throw error
    }
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}
