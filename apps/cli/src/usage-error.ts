/** A mistake in how the program was called, in one sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
