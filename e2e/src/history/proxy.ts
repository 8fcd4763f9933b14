import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

interface Pair {
  readonly client: Socket
  readonly server: Socket
  /** Shut, the connection is silent for good. */
  readonly own: Gate
}

/** What lets bytes pass in one direction, or keeps them. */
class Gate {
  #open: Promise<void> = Promise.resolve()
  #release: () => void = () => undefined

  shut(): void {
    this.#release()
    this.#open = new Promise(resolve => {
      this.#release = resolve
    })
  }

  release(): void {
    this.#release()
    this.#open = Promise.resolve()
  }

  passed(): Promise<void> {
    return this.#open
  }
}

/**
 * A TCP proxy that stands before a server (or takes turns among several) and behaves as a network does on a bad day. Bytes are
 * never dropped out of a connection or changed in order: what is held back arrives late, or its connection is cut.
 */
export class NetworkProxy {
  /** Milliseconds that every chunk takes longer. */
  delay = 0
  readonly #requests = new Gate()
  readonly #answers = new Gate()
  readonly #pairs = new Set<Pair>()
  #turn = 0

  private constructor(
    readonly port: number,
    private readonly targets: readonly number[],
    private readonly listener: Server,
  ) {
    listener.on('connection', client => this.#connect(client))
  }

  static async open(port: number, targets: readonly number[]): Promise<NetworkProxy> {
    const listener = createServer()
    const proxy = new NetworkProxy(port, targets, listener)
    listener.listen(port, '127.0.0.1')
    await once(listener, 'listening')
    return proxy
  }

  /** Resets every connection. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      reset(client)
      reset(server)
    }
  }

  /** Every connection there is falls silent for good, and neither side is told: as when a firewall forgets it. New ones work. */
  abandon(): void {
    for (const { own } of this.#pairs) own.shut()
  }

  /** A black hole: nothing passes, no connection ends, new ones get no answer. */
  hold(): void {
    this.#requests.shut()
    this.#answers.shut()
  }

  /** Requests pass, answers do not: what was asked is done, and whoever asked does not hear of it. */
  holdAnswers(): void {
    this.#answers.shut()
  }

  /** Everything passes again, also what was held back. */
  release(): void {
    this.delay = 0
    this.#requests.release()
    this.#answers.release()
  }

  async close(): Promise<void> {
    this.release()
    this.listener.close()
    this.cut()
  }

  #connect(client: Socket): void {
    this.#turn = (this.#turn + 1) % this.targets.length
    const server = connect({ host: '127.0.0.1', port: this.targets[this.#turn] ?? 0 })
    const pair = { client, server, own: new Gate() }
    this.#pairs.add(pair)
    const end = () => {
      this.#pairs.delete(pair)
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) socket.setNoDelay(true).on('error', end)
    this.#pump(client, server, [pair.own, this.#requests]).then(end, end)
    this.#pump(server, client, [pair.own, this.#answers]).then(end, end)
  }

  async #pump(from: Socket, to: Socket, gates: readonly Gate[]): Promise<void> {
    for await (const chunk of from) {
      if (this.delay > 0) await new Promise(resolve => setTimeout(resolve, this.delay))
      for (const gate of gates) await gate.passed()
      if (!to.write(chunk)) await once(to, 'drain')
    }
    to.end()
    await once(to, 'close')
  }
}

/** A socket that is ending already is only destroyed: reset then, Node 24 never lets its handle go, and turns in a circle at exit. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}
