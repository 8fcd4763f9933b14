import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { freePort } from '@grantlog/servers'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { NetworkProxy } from './proxy.js'

describe('a network on a bad day', () => {
  let [echo, heard]: [Server, string] = [createServer(), '']
  let proxy: NetworkProxy
  beforeEach(async () => {
    heard = ''
    const port = await freePort()
    echo = createServer(socket => {
      socket.on('error', () => undefined) // cut, as it is meant to be
      socket.on('data', data => {
        heard += data.toString()
        socket.write(data)
      })
    }).listen(port, '127.0.0.1')
    await once(echo, 'listening')
    proxy = await NetworkProxy.open(await freePort(), [port])
  })
  afterEach(async () => {
    await proxy.close()
    echo.close()
  })

  async function aClient() {
    const socket = connect({ host: '127.0.0.1', port: proxy.port })
    let answered = ''
    socket.on('data', data => {
      answered += data.toString()
    })
    const ended = new Promise<string>(resolve => {
      socket.once('error', error => resolve(error.message))
    })
    await once(socket, 'connect')
    return { socket, ended, answered: () => answered }
  }
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise(resolve => setTimeout(resolve, 5))
  }
  const aMoment = () => new Promise(resolve => setTimeout(resolve, 50))

  it('passes everything on while nothing is wrong', async () => {
    const { socket, answered } = await aClient()
    socket.write('hello')
    await until(() => answered() === 'hello')
    socket.destroy()
  })

  it('held back, bytes arrive late and in order', async () => {
    const { socket, answered } = await aClient()
    proxy.hold()
    for (const word of ['one ', 'two ', 'three']) {
      socket.write(word)
      await aMoment()
    }
    expect([heard, answered()]).toEqual(['', ''])
    proxy.release()
    await until(() => answered() === 'one two three')
    socket.destroy()
  })

  it('abandoned, a connection is silent for good, and a new one is not', async () => {
    const forgotten = await aClient()
    proxy.abandon()
    proxy.release()
    forgotten.socket.write('anybody there?')
    const next = await aClient()
    next.socket.write('hello')
    await until(() => next.answered() === 'hello')
    await aMoment()
    expect([heard, forgotten.answered()]).toEqual(['hello', ''])
    for (const { socket } of [forgotten, next]) socket.destroy()
  })

  it('an answer can be lost although what was asked is done', async () => {
    const { socket, answered, ended } = await aClient()
    proxy.holdAnswers()
    socket.write('do it')
    await until(() => heard === 'do it')
    proxy.cut()
    expect(await ended).toContain('ECONNRESET')
    expect(answered()).toBe('')
    proxy.release()
    const next = await aClient()
    next.socket.write('again')
    await until(() => next.answered() === 'again')
    next.socket.destroy()
  })
})
