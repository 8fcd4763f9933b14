import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { Connection } from './connection.js'

/** A message of the protocol: its letter, its length, its content. */
function message(letter: string, content: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(content.length + 4)
  return Buffer.concat([Buffer.from(letter), length, content])
}
const authenticated = message('R', Buffer.alloc(4))
const ready = message('Z', Buffer.from('I'))
const done = message('C', Buffer.from('SELECT 0\0'))
const killed = message(
  'E',
  Buffer.from('SFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0'),
)

it('a server that ends a connection in the moment that it is ready does not end the process', async () => {
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(Buffer.concat([authenticated, ready, killed])))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const pool = new pg.Pool({ Client: Connection, host: '127.0.0.1', port, user: 'u', database: 'd' })
  const client = await pool.connect()
  await expect(client.query('select 1')).rejects.toThrow()
  client.release(true)
  await pool.end()
  server.close()
})

describe('a server that says nothing', () => {
  const silence = 200
  const close = async (server: Server, pool: pg.Pool) => {
    await pool.end()
    server.close()
  }
  async function silent(answers = 0) {
    let left = answers
    const server = createServer(socket => {
      socket.on('error', () => undefined)
      socket.once('data', () => {
        socket.write(Buffer.concat([authenticated, ready]))
        socket.on('data', () => left-- > 0 && socket.write(Buffer.concat([done, ready])))
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const config = { Client: Connection, host: '127.0.0.1', port, user: 'u', database: 'd', silence }
    return { server, pool: new pg.Pool(config) }
  }

  it('while it owes an answer is left, and everything that waits for it fails', async () => {
    const { server, pool } = await silent()
    const client = await pool.connect()
    const ended = new Promise(resolve => client.once('end', resolve))
    await expect(Promise.all([client.query('select 1'), client.query('select 2')])).rejects.toThrow(
      'The database has not answered for 0.2 s',
    )
    await ended
    client.release(true)
    await close(server, pool)
  })

  it('while it owes the second of two answers that were asked at once is left too', async () => {
    const { server, pool } = await silent(1)
    const client = await pool.connect()
    Object.assign(client, { pipeline: true })
    const [first, second] = await Promise.allSettled([client.query('select 1'), client.query('select 2')])
    expect(first.status).toBe('fulfilled')
    expect(second).toMatchObject({ reason: { message: 'The database has not answered for 0.2 s' } })
    client.release(true)
    await close(server, pool)
  })

  it('while nothing is asked of it is kept', async () => {
    const { server, pool } = await silent()
    const client = await pool.connect()
    let ended = false
    client.once('end', () => {
      ended = true
    })
    await new Promise(resolve => setTimeout(resolve, 3 * silence))
    expect(ended).toBe(false)
    client.release(true)
    await close(server, pool)
  })
})
