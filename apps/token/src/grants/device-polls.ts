import type { TokenServices } from '../token-services.js'

/** RFC 8628 §3.5: 5 seconds between polls, and for whoever asks too soon "the interval MUST be increased by 5 seconds". */
const stepSeconds = 5
/** No device is sent away for longer than this, in seconds. */
const longestSeconds = 60
/** Polls may come this much closer together than they were sent, in seconds. */
const jitterSeconds = 1

/**
 * Counts a poll of a device. In the database, by one statement: two instances count as one.
 * @param poll.expiresAt when its code expires, in seconds
 * @returns whether it comes sooner than the device was told
 */
export async function isTooSoon(
  poll: { readonly deviceId: string; readonly expiresAt: number; readonly now: number },
  { db }: TokenServices,
): Promise<boolean> {
  await db.query('delete from device_polls where expires_at <= $1', [poll.now])
  const rows: { too_soon: boolean }[] = await db.query(
    `insert into device_polls (device_id, polled_at, wait_seconds, too_soon, expires_at)
     values ($1, $2, ${stepSeconds}, false, $3)
     on conflict (device_id) do update set
       polled_at = $2,
       too_soon = $2 < device_polls.polled_at + device_polls.wait_seconds - ${jitterSeconds},
       wait_seconds = case
         when $2 < device_polls.polled_at + device_polls.wait_seconds - ${jitterSeconds}
         then least(device_polls.wait_seconds + ${stepSeconds}, ${longestSeconds})
         else device_polls.wait_seconds end
     returning too_soon`,
    [poll.deviceId, poll.now, poll.expiresAt],
  )
  return rows[0]?.too_soon ?? false
}
