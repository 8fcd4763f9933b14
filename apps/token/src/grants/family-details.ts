import type { AuthorizationDetail } from '@grantlog/oauth'
import type { FamilyFacts } from '../domain/family.js'
import type { TokenServices } from '../token-services.js'

/** Keeps what a family's tokens are for in detail, for as long as its grant lasts: the log has only the digest. */
export async function keepDetails(
  { familyId, grantExpiresAt, detailsDigest }: FamilyFacts,
  details: readonly AuthorizationDetail[],
  { db, clock }: TokenServices,
): Promise<void> {
  if (detailsDigest === undefined) return
  await db.query('delete from family_details where expires_at <= $1', [clock.seconds()])
  await db.query(
    'insert into family_details (family_id, details, expires_at) values ($1, $2, $3) on conflict do nothing',
    [familyId, JSON.stringify(details), grantExpiresAt],
  )
}

/** The details of a family, or undefined where they were deleted: then its tokens would say less than the person was asked. */
export async function findDetails(
  { familyId, detailsDigest }: FamilyFacts,
  { db }: TokenServices,
): Promise<readonly AuthorizationDetail[] | undefined> {
  if (detailsDigest === undefined) return []
  const rows: { details: AuthorizationDetail[] }[] = await db.query(
    'select details from family_details where family_id = $1',
    [familyId],
  )
  return rows[0]?.details
}
