import { connect } from 'node:net'

/** How many brokers a Metadata answer (v4) lists: the cheapest question that only a working broker answers. 0: no answer. */
export function countBrokers(port: number, milliseconds = 1000): Promise<number> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' })
    let answer = Buffer.alloc(0)
    const done = (count: number) => {
      resolve(count)
      socket.destroy()
    }
    socket.setTimeout(milliseconds, () => done(0))
    socket.once('error', () => done(0))
    socket.once('close', () => done(0))
    // size, api key 3, version 4, correlation id 1, client id "healthy", no topics, no auto-creation
    socket.once('connect', () =>
      socket.write(
        Buffer.from('0000001600030004000000010007 6865616c746879 0000000000'.replaceAll(' ', ''), 'hex'),
      ),
    )
    socket.on('data', data => {
      answer = Buffer.concat([answer, data])
      if (answer.length < 16 || answer.length < 4 + answer.readInt32BE(0)) return
      done(answer.readInt32BE(12)) // after size, correlation id and throttle time: the length of the brokers' array
    })
  })
}
