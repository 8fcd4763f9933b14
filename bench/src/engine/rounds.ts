import { median } from '../benchmark.js'

export const rounds = 5

/** A figure and its limit, measured in turns; the medians of both. */
export async function sideBySide(
  told: (line: string) => void,
  name: string,
  ours: (round: number) => Promise<number>,
  limit: (round: number) => Promise<number>,
): Promise<{ ours: number; peer: number }> {
  const all: { ours: number[]; peer: number[] } = { ours: [], peer: [] }
  for (let round = 0; round < rounds; round++) {
    const one = { ours: await ours(round), peer: await limit(round) }
    all.ours.push(one.ours)
    all.peer.push(one.peer)
    told(`${name}, round ${round + 1} of ${rounds}: ${one.ours.toFixed(2)} beside ${one.peer.toFixed(2)}`)
  }
  return { ours: median(all.ours), peer: median(all.peer) }
}

/** How often per second so many workers do something, each waiting for its own answer. */
export async function rate(
  workers: number,
  seconds: number,
  work: (worker: number) => Promise<unknown>,
): Promise<number> {
  const began = performance.now()
  const until = began + seconds * 1000
  let done = 0
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      while (performance.now() < until) {
        await work(worker)
        done += 1
      }
    }),
  )
  return (done * 1000) / (performance.now() - began)
}

/** The durations of so many runs, one after the other, in milliseconds. */
export async function durations(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const all: number[] = []
  for (let n = 0; n < count; n++) {
    const began = performance.now()
    await work()
    all.push(performance.now() - began)
  }
  return all
}

/** @param share 0.99 for the 99th percentile */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Waits until it is so, looking every few milliseconds. @throws Error after a minute */
export async function until(so: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + 60_000; !(await so()); ) {
    if (Date.now() > end) throw new Error(`${what} did not happen within a minute`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
