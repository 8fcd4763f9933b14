/**
 * What counts as one sender: an IPv4 address, or the /64 of an IPv6 address, since a subscriber gets at least that much and may use a
 * new address for each request (RFC 6177 §2, RFC 8981).
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [text = ''] = address.toLowerCase().split('%') // RFC 4007 §11: a zone is no part of the address
  const mapped = /^::ffff:([\d.]+)$/.exec(text)?.[1] // RFC 4291 §2.5.5.2: IPv4, on a socket that takes both
  if (mapped !== undefined) return mapped
  const [before = '', after] = text.split('::')
  const head = before === '' ? [] : before.split(':')
  const tail = after ? after.split(':') : []
  const zeros = after === undefined ? 0 : Math.max(0, 8 - head.length - tail.length)
  const groups = [...head, ...Array<string>(zeros).fill('0'), ...tail]
  return `${groups
    .slice(0, 4)
    .map(group => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}
