import { connect, createServer, type Socket } from 'node:net'

/** A line to a server that can be cut after the server has answered and before the answer arrives. */
export async function aLineThatCuts(url: string) {
  const target = new URL(url)
  const [port, host] = [Number(target.port), target.hostname]
  const sockets = new Set<Socket>()
  let marker: string | undefined
  let forEver = false
  const server = createServer(near => {
    const far = connect(port, host)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    let cutting = false
    near.on('data', data => {
      if (marker !== undefined && data.includes(marker)) cutting = true
      far.write(data)
    })
    far.on('data', data => {
      if (!cutting) return void near.write(data)
      marker = undefined
      near.destroy()
      if (forEver) goDown()
    })
  })
  const goDown = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  target.port = String(typeof address === 'object' && address ? address.port : 0)
  return {
    url: target.href,
    /** The answer to what contains the text is lost, and the connection with it. @param andAll every connection, for ever */
    loseAnswerTo(text: string, andAll = false): void {
      marker = text
      forEver = andAll
    },
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
