import type { EventData } from '@grantlog/contracts'

/** Who owns what is granted: a person, or an organization that somebody acts for. */
export type Owner = EventData<'grant.approved'>['owner']
