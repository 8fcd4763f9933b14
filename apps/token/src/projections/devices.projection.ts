import type { EventData } from '@grantlog/contracts'
import { defineProjection } from '@grantlog/eventing'
import type { DataSource } from 'typeorm'

/** How a person answered a device: what she allowed, or null where she denied it. */
export interface DeviceRow {
  device_id: string
  approval: EventData<'grant.device-approved'> | null
}

export const devices = defineProjection<DeviceRow>({
  name: 'token.devices.v1',
  security: false,
  table: 'device_view',
  key: 'device_id',
  columns: { device_id: 'text', approval: 'json' },
  on: {
    'grant.device-approved': {
      key: ({ data }) => data.deviceId,
      row: (_, { data }) => ({ device_id: data.deviceId, approval: data }),
    },
    'grant.device-denied': {
      key: ({ data }) => data.deviceId,
      row: (_, { data }) => ({ device_id: data.deviceId, approval: null }),
    },
  },
})

/** The answer to a device; undefined while there is none, or the token service has not heard of it. */
export async function findDevice(db: DataSource, deviceId: string): Promise<DeviceRow | undefined> {
  const rows: DeviceRow[] = await db.query(
    'select device_id, approval from device_view where device_id = $1',
    [deviceId],
  )
  return rows[0]
}
