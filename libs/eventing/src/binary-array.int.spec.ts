import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { binaryArray } from './binary-array.js'
import { aLog, type LogDatabase } from './specs/a-log.js'

let log: LogDatabase
beforeAll(async () => {
  log = await aLog('binary_array')
})
afterAll(() => log.drop())

it.each([
  ['text', binaryArray.text([]), []],
  ['text', binaryArray.text(['']), ['']],
  [
    'text',
    binaryArray.text(['{"a":"\\"b\\" \\\\ ü€😀"}', null, 'NULL', '{,}']),
    ['{"a":"\\"b\\" \\\\ ü€😀"}', null, 'NULL', '{,}'],
  ],
  ['json', binaryArray.json(['{"a":["ü€😀",null]}', null, '1']), [{ a: ['ü€😀', null] }, null, 1]],
  ['int4', binaryArray.int4([0, -1, 2 ** 31 - 1, null]), [0, -1, 2 ** 31 - 1, null]],
  ['int8', binaryArray.int8([1_764_000_000, null, -1]), ['1764000000', null, '-1']],
  [
    'uuid',
    binaryArray.uuid(['0199aa00-1234-7abc-8def-0123456789ab']),
    ['0199aa00-1234-7abc-8def-0123456789ab'],
  ],
  [
    'timestamptz',
    binaryArray.timestamptz([new Date('2026-11-26T01:02:03.004Z'), new Date('1999-01-01T00:00:00Z')]),
    [new Date('2026-11-26T01:02:03.004Z'), new Date('1999-01-01T00:00:00Z')],
  ],
])('Postgres reads %s[] as it was meant', async (type, array, values) => {
  const { rows } = await log.pool.query(`select $1::${type}[] as read`, [array])
  expect(rows).toEqual([{ read: values }])
})
