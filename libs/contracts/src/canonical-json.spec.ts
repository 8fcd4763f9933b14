import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { canonicalJson } from './canonical-json.js'

describe('canonical JSON (RFC 8785)', () => {
  it('writes the document of §3.2.2 as §3.2.4 gives it', () => {
    const document = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '€$\u000f\nA\'B"\\\\"/',
      literals: [null, true, false],
    }
    expect(canonicalJson(document)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  it('sorts members by UTF-16 code units, not by code points (§3.2.3)', () => {
    const document = {
      '€': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      1: 'One',
      '😀': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      ö: 'Latin Small Letter O With Diaeresis',
    }
    expect([...canonicalJson(document).matchAll(/:"([^"]+)"/g)].map(([, value]) => value)).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ])
  })

  it('sorts at every depth and leaves arrays as they are', () => {
    expect(canonicalJson([{ b: { d: 1, c: [3, 1, 2] }, a: {} }, []])).toBe(
      '[{"a":{},"b":{"c":[3,1,2],"d":1}},[]]',
    )
  })

  // Appendix B: IEEE 754 bits, and their one text
  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the number %s as %s', (bits, text) => {
    expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text)
  })

  // §3.2.2.2
  it.each([
    ['\b\t\n\f\r', String.raw`"\b\t\n\f\r"`],
    ['\u0000\u001f', String.raw`"\u0000\u001f"`],
    ['"\\/', String.raw`"\"\\/"`],
    ['\u007f\u2028\u2029é😀', '"\u007f\u2028\u2029é😀"'],
  ])('escapes in %j only what it must', (value, text) => {
    expect(canonicalJson(value)).toBe(text)
  })

  it('leaves out a member that is undefined', () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}')
  })

  it.each([
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['undefined', undefined],
    ['undefined in an array', [undefined]],
    ['a hole in an array', Array(1)],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a Date', { at: new Date(0) }],
    ['a Map', new Map()],
    ['a lone surrogate', 'a\ud800'],
    ['a lone surrogate in a member’s name', { '\udc00': 1 }],
  ])('refuses %s', (_, value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError)
  })

  it('keeps every JSON value as it was', () => {
    fc.assert(
      fc.property(json, value => {
        expect(JSON.parse(canonicalJson(value))).toEqual(value)
      }),
    )
  })

  it('writes what sorting every object by hand gives', () => {
    fc.assert(fc.property(json, value => expect(canonicalJson(value)).toBe(byHand(value))))
  })

  it('takes `__proto__` for a name like any other', () => {
    const value = JSON.parse('{"z":1,"__proto__":{"b":1,"a":2}}')
    expect(canonicalJson(value)).toBe('{"__proto__":{"a":2,"b":1},"z":1}')
  })

  it('gives the same text whatever the order of members', () => {
    fc.assert(
      fc.property(fc.dictionary(wellFormed, json), value => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())
        expect(canonicalJson(reversed)).toBe(canonicalJson(value))
      }),
    )
  })
})

function byHand(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(byHand)}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.keys(value).sort()
  return `{${members.map(name => `${JSON.stringify(name)}:${byHand(Reflect.get(value, name))}`)}}`
}

const wellFormed = fc.string({ unit: 'binary' }).filter(text => text !== '__proto__')
const json = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(number => number + 0),
    wellFormed,
    fc.array(tie('value')),
    fc.dictionary(fc.oneof(wellFormed, fc.constantFrom('1', '2', '10', '1a', 'a', 'b')), tie('value')),
  ),
})).value
