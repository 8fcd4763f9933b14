import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly body: string
}

/**
 * One keep-alive HTTP/1.1 connection with one request in flight. It does no more than the generator needs: what it costs is not
 * to be measured. A body comes with its length.
 */
export class Connection {
  #socket: Socket | undefined
  #received = ''
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined

  constructor(private readonly port: number) {}

  /** Posts a form. @throws Error when the connection breaks, or the answer has no length */
  post(path: string, authorization: string, form: string): Promise<Answer> {
    const type = 'Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\n'
    return this.#ask(
      `POST ${path}`,
      `Authorization: ${authorization}\r\n${type}Content-Length: ${form.length}\r\n\r\n${form}`,
    )
  }

  /** @throws Error when the connection breaks, or the answer has no length */
  get(path: string, authorization: string): Promise<Answer> {
    return this.#ask(`GET ${path}`, `Authorization: ${authorization}\r\n\r\n`)
  }

  async #ask(request: string, rest: string): Promise<Answer> {
    this.#socket ??= await this.#open()
    this.#socket.write(`${request} HTTP/1.1\r\nHost: 127.0.0.1:${this.port}\r\n${rest}`)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  close(): void {
    this.#socket?.destroy()
  }

  #open(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
      socket.setEncoding('latin1')
      socket.on('data', (data: string) => this.#receive(data))
      socket.on('error', error => {
        reject(error)
        this.#waiting?.reject(error)
      })
      socket.on('close', () => {
        this.#socket = undefined
        this.#waiting?.reject(new Error(`Port ${this.port} closed the connection`))
      })
    })
  }

  #receive(data: string): void {
    this.#received += data
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = this.#received.slice(0, end)
    const status = Number(head.slice(9, 12))
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? (status === 204 ? 0 : undefined)
    if (length === undefined) {
      this.#waiting?.reject(new Error(`An answer without a length: ${head}`))
      return
    }
    if (this.#received.length < end + 4 + Number(length)) return
    const body = this.#received.slice(end + 4)
    this.#received = ''
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve({ status, body })
  }
}
