import { once } from 'node:events'
import { connect } from 'node:net'

/** A request of which the server has read the head, and waits for the rest. */
export interface RequestInFlight {
  /** Sends the rest. Returns all that the server said, once it has closed the connection. */
  finish(): Promise<string>
}

/** @param body is sent when the request is finished */
export async function beginRequest(port: number, path: string, body: string): Promise<RequestInFlight> {
  const socket = connect({ host: '127.0.0.1', port })
  let said = ''
  socket.on('data', (words: Buffer) => {
    said += words.toString()
  })
  const closed = once(socket, 'close')
  socket.write(
    [
      `POST ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'Content-Type: application/x-www-form-urlencoded',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Expect: 100-continue', // RFC 9110 §10.1.1: the server says when it has read the head
      'Connection: close',
      '\r\n',
    ].join('\r\n'),
  )
  await once(socket, 'data')
  return {
    async finish() {
      socket.write(body)
      await closed
      return said
    },
  }
}
