import { Clock, JsonBody, Problem } from '@grantlog/platform'
import type { VerifiedToken } from '@grantlog/resource-guard'
import { RequireScope, Token } from '@grantlog/resource-guard/nest'
import { Controller, Get, Param, Post } from '@nestjs/common'
import { z } from 'zod'
import { currencies, type Invoice } from '../invoices/invoice.js'
import { Invoices, type Owner } from '../invoices/invoices.js'

const draft = z.object({
  customer: z.string().trim().min(1).max(120),
  description: z.string().trim().min(1).max(500),
  amount: z.int().positive().max(1_000_000_000).describe('In the minor unit of the currency.'),
  currency: z.enum(currencies),
})

/** The API: the owner's invoices, to the extent that the scope allows. */
@Controller('invoices')
export class InvoicesController {
  constructor(
    private readonly invoices: Invoices,
    private readonly clock: Clock,
  ) {}

  @Get()
  @RequireScope('invoices:read')
  async list(@Token() token: VerifiedToken) {
    const owner = ownerOf(token)
    return { owner, invoices: (await this.invoices.ofOwner(owner)).map(shown) }
  }

  @Get(':id')
  @RequireScope('invoices:read')
  async one(@Token() token: VerifiedToken, @Param('id') id: string) {
    const found = z.uuid().safeParse(id).success ? await this.invoices.one(ownerOf(token), id) : null
    // somebody else's invoice and none at all are the same to the caller
    if (found === null) throw new Problem(404, 'Not Found', 'There is no such invoice.')
    return shown(found)
  }

  @Post()
  @RequireScope('invoices:write')
  async create(@Token() token: VerifiedToken, @JsonBody(draft) body: z.infer<typeof draft>) {
    return shown(await this.invoices.create(ownerOf(token), body, this.clock.now()))
  }
}

/** A client that acts for itself owns no invoices, nor does whom another issuer names. */
function ownerOf({ owner }: VerifiedToken): Owner {
  const { kind, id } = owner
  if (kind === 'client' || kind === 'foreign')
    throw new Problem(
      403,
      'Forbidden',
      'Invoices belong to people and companies: get a token from one of them.',
    )
  return { kind, id }
}

function shown({ id, number, customer, description, amount, currency, issuedOn, status }: Invoice) {
  return { id, number, customer, description, amount, currency, issued_on: issuedOn, status }
}
