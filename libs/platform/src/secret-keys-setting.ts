import { setting } from './setting.js'

/** For whoever makes client secrets, and whoever checks them. */
export const secretKeysSetting = setting.keys({
  describe:
    'The keys that client secrets are hashed with, the same in clients, consent and token: one, or several separated by commas; the first one hashes, all are tried.',
})
