const maxTurns = 5

/**
 * Waits while each turn of the event loop brings more to do together, for five turns at most: under load, fewer and larger batches; when
 * nothing else is going on, a single turn.
 * @param count how much there is by now
 */
export async function gathering(count: () => number): Promise<void> {
  let before = -1
  for (let turns = 0; turns < maxTurns && count() > before; turns++) {
    before = count()
    await new Promise(setImmediate)
  }
}
