/**
 * The route to an extension of this server: to every phone registered for it.
 */
import type { RouteType } from '../route'

/** Routes to an extension; 480 when no phone is registered for it (RFC 3261 §21.4.18). */
export const extensionRoute: RouteType = {
  name: 'extension',
  route({ isOurDomain, extension }) {
    if (!isOurDomain || !extension) return undefined
    if (extension.registeredPhones === 0) return { kind: 'reject', status: 480, why: 'no phone is registered' }
    return { kind: 'extension', extension: extension.name }
  },
}
