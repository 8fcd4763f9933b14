const width = 30
const lineMilliseconds = 3000
const barMilliseconds = 100

/**
 * Shows how far a long piece of work is, on stderr: a bar with its rate on a terminal, else a line every three seconds.
 * @param unit what `sent` counts
 */
export class ProgressBar {
  readonly #began = Date.now()
  #said = Date.now()
  #line = ''

  constructor(
    private readonly what: string,
    private readonly unit: string,
    private readonly out: Pick<NodeJS.WriteStream, 'write' | 'isTTY'> = process.stderr,
  ) {}

  /** @param part from 0 to 1 */
  at(part: number, sent: number, where: string): void {
    const now = Date.now()
    if (now - this.#said < (this.out.isTTY ? barMilliseconds : lineMilliseconds)) return
    this.#said = now
    const rate = Math.round((sent / Math.max(1, now - this.#began)) * 1000)
    const percent = `${Math.floor(part * 100)} %`
    const done = Math.round(part * width)
    const bar = this.out.isTTY ? `${'█'.repeat(done)}${'░'.repeat(width - done)} ` : ''
    this.#line = `${this.what}  ${bar}${percent}  ${sent} ${this.unit}  ${rate}/s  ${where}`
    this.out.write(this.out.isTTY ? `\r\u001b[K${this.#line}` : `${this.#line}\n`)
  }

  /** Takes the bar away. */
  end(): void {
    if (this.out.isTTY && this.#line !== '') this.out.write('\r\u001b[K')
  }
}
