/** What happens when the process is told to stop. @param why `SIGTERM`, `SIGINT`, or that the parent is gone */
export type Stop = (why: string) => void

let heeding = false
let stop: Stop = end

/**
 * From now on SIGTERM and SIGINT end the process, and a service ends with the parent that started it. To be called before anything that
 * takes time (`heed-signals.ts` does): as the first process of a container Node ignores a signal that nobody handles.
 */
export function heedSignals(): void {
  if (heeding) return
  heeding = true
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal))
  if (isService()) process.on('disconnect', parentIsGone)
}

/** Does this instead of ending at once. */
export function stopBy(next: Stop): void {
  stop = next
}

/** Lets go of the parent without being stopped by that. */
export function leaveParent(): void {
  process.off('disconnect', parentIsGone)
  if (process.connected) process.disconnect()
}

/** A service that was told to stop has done so; a command that was has not done its work, and nobody may take it for done. */
function end(why: string): void {
  if (isService()) process.exit(0)
  process.exit(why === 'SIGINT' ? 130 : 143)
}

const parentIsGone = () => stop('the parent is gone')
const isService = () => process.argv[2] === undefined
