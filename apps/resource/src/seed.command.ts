import type { Invoices, Owner } from './invoices/invoices.js'

/** `seed person:<id> organization:<id> …`: gives owners the demonstration's invoices. @throws Error naming a malformed owner */
export async function seed(invoices: Invoices, args: readonly string[]): Promise<string> {
  const owners = args.map(readOwner)
  let count = 0
  for (const owner of owners) count += await invoices.seed(owner)
  return `${count} invoices`
}

function readOwner(text: string): Owner {
  const [, kind, id] = /^(person|organization):([0-9a-f-]{36})$/.exec(text) ?? []
  if (id === undefined) throw new Error(`“${text}” is no owner: write person:<id> or organization:<id>`)
  return { kind: kind as Owner['kind'], id }
}
