import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const first = 20_000
const count = 12_000
const each = 240

// Processes side by side begin in different places, and each goes on from there: what one chose and does not listen at yet, no other chooses.
let next = (process.pid * each + randomInt(each / 2)) % count

/**
 * Free ports on 127.0.0.1, from 20000 to 31999: below the kernel's ephemeral range, where a client that retries a dead port can
 * connect to itself, and any outgoing connection may take the port.
 * @throws Error when not even one of them is free
 */
export async function freePorts(wanted: number): Promise<number[]> {
  const ports: number[] = []
  for (let tries = 0; ports.length < wanted; tries++) {
    if (tries === count) throw new Error(`No port from ${first} to ${first + count - 1} is free.`)
    const port = first + next
    next = (next + 1) % count
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1)
  return port
}

/** Whether nobody listens on a port of this machine. */
export function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
