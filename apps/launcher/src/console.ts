const plain = process.env.NO_COLOR !== undefined || !process.stdout.isTTY

const paint = (code: number) => (text: string) => (plain ? text : `\u001b[${code}m${text}\u001b[0m`)
export const bold = paint(1)
export const dim = paint(2)
export const green = paint(32)
export const red = paint(31)

let silent = false

/** Says nothing from now on: for those who start a system from a program. */
export function silence(): void {
  silent = true
}

export function say(line = ''): void {
  if (!silent) process.stdout.write(`${line}\n`)
}

/** One progress line per step: what, and how long it took. A failure is told by whoever catches the error. */
export async function step<T>(
  name: string,
  work: () => Promise<T>,
  detail?: (result: T) => string,
): Promise<T> {
  const began = performance.now()
  const result = await work()
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  say(
    `  ${green('✓')} ${name.padEnd(18)} ${dim(`${seconds.padStart(5)} s`)}  ${dim(detail?.(result) ?? '')}`.trimEnd(),
  )
  return result
}
