import { authorizationCode } from './authorization-code.js'
import { clientCredentials } from './client-credentials.js'
import { deviceCode } from './device-code.js'
import type { Grant } from './grant.js'
import { jwtBearer } from './jwt-bearer.js'
import { refreshToken } from './refresh-token.js'
import { tokenExchange } from './token-exchange.js'

/** Every grant type of the token endpoint. The metadata document lists what is here. */
export const grants: readonly Grant[] = [
  authorizationCode,
  refreshToken,
  clientCredentials,
  tokenExchange,
  deviceCode,
  jwtBearer,
]
