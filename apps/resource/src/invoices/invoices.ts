import { randomUUID } from 'node:crypto'
import { Injectable } from '@nestjs/common'
import { DataSource } from 'typeorm'
import { type Invoice, invoiceEntity } from './invoice.js'

export interface Owner {
  readonly kind: Invoice['ownerKind']
  readonly id: string
}

/** The invoices, always of one owner: there is no way to ask for anybody's. */
@Injectable()
export class Invoices {
  constructor(private readonly db: DataSource) {}

  ofOwner({ kind, id }: Owner): Promise<Invoice[]> {
    return this.#table().find({
      where: { ownerKind: kind, ownerId: id },
      order: { issuedOn: 'DESC', number: 'DESC' },
      take: 200,
    })
  }

  one({ kind, id: ownerId }: Owner, id: string): Promise<Invoice | null> {
    return this.#table().findOneBy({ id, ownerKind: kind, ownerId })
  }

  async create(
    { kind, id: ownerId }: Owner,
    draft: Pick<Invoice, 'customer' | 'description' | 'amount' | 'currency'>,
    now: Date,
  ): Promise<Invoice> {
    const id = randomUUID()
    const invoice: Invoice = {
      ...draft,
      id,
      ownerKind: kind,
      ownerId,
      number: `INV-${now.getUTCFullYear()}-${id.slice(0, 8).toUpperCase()}`,
      issuedOn: now.toISOString().slice(0, 10),
      status: 'open',
    }
    await this.#table().insert(invoice)
    return invoice
  }

  /** Gives an owner the demonstration's invoices, unless she has some. */
  async seed(owner: Owner): Promise<number> {
    if ((await this.#table().countBy({ ownerKind: owner.kind, ownerId: owner.id })) > 0) return 0
    const samples = owner.kind === 'person' ? personal : corporate
    await this.#table().insert(
      samples.map(sample => ({ ...sample, id: randomUUID(), ownerKind: owner.kind, ownerId: owner.id })),
    )
    return samples.length
  }

  #table() {
    return this.db.getRepository(invoiceEntity)
  }
}

type Sample = Omit<Invoice, 'id' | 'ownerKind' | 'ownerId'>

const personal: readonly Sample[] = [
  {
    number: '2026-001',
    customer: 'Royal Society',
    description: 'Lecture on the analytical engine',
    amount: 42_000,
    currency: 'GBP',
    issuedOn: '2026-01-14',
    status: 'paid',
  },
  {
    number: '2026-002',
    customer: 'L. Menabrea',
    description: 'Translation and notes A to G',
    amount: 180_000,
    currency: 'EUR',
    issuedOn: '2026-03-02',
    status: 'paid',
  },
  {
    number: '2026-003',
    customer: 'C. Babbage',
    description: 'Numbers of Bernoulli, computed',
    amount: 65_500,
    currency: 'GBP',
    issuedOn: '2026-05-27',
    status: 'open',
  },
]

const corporate: readonly Sample[] = [
  {
    number: 'AE-1001',
    customer: 'Difference Works',
    description: 'Brass gears, 4,000 pieces',
    amount: 1_250_000,
    currency: 'GBP',
    issuedOn: '2026-02-11',
    status: 'paid',
  },
  {
    number: 'AE-1002',
    customer: 'Jacquard & Fils',
    description: 'Punched cards, 24,000 pieces',
    amount: 312_000,
    currency: 'EUR',
    issuedOn: '2026-04-19',
    status: 'paid',
  },
  {
    number: 'AE-1003',
    customer: 'Observatory at Greenwich',
    description: 'Tables of logarithms',
    amount: 89_900,
    currency: 'GBP',
    issuedOn: '2026-06-08',
    status: 'open',
  },
  {
    number: 'AE-1004',
    customer: 'Difference Works',
    description: 'Maintenance of the mill',
    amount: 240_000,
    currency: 'GBP',
    issuedOn: '2026-06-30',
    status: 'open',
  },
]
