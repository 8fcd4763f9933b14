/**
 * Waits while each turn of the event loop brings more to do together: under load, fewer and larger batches; when nothing else is going on,
 * a single turn.
 * @param count how much there is by now
 */
export async function gathering(count: () => number): Promise<void> {
  let before: number
  do {
    before = count()
    await new Promise(setImmediate)
  } while (count() > before)
}
