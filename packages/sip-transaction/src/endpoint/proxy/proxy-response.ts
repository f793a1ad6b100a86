/** Responses on their way back through a proxy: RFC 3261 §16.7 steps 3, 8 and 9, §16.11. */
import type { SipResponse } from '@carillon/sip-parser'
import { defaultPort } from '../../locate/plan'
import type { Destination, FlowAddress } from '../../ports'
import { editHeaders } from '../../proxy/forward-request'
import type { Core } from '../core'
import type { HeaderChanges } from './proxy-options'

/** False when only our own Via is left: it is for us, and for nobody behind us. */
export function hasWayBack(response: SipResponse): boolean {
  const lines = response.getAll('Via')
  return lines.length > 1 || lines[0]?.includes(',') === true
}

/** The response without our Via. */
export function passBack(response: SipResponse, changes: HeaderChanges | undefined): SipResponse {
  const edit = response.edit().removeFirst('Via')
  if (changes !== undefined) editHeaders(edit, changes)
  return edit.build()
}

/**
 * Sends a response back by nothing but its Via (§18.2.2, RFC 3581 §4), which names the one who asked as we saw him. Only
 * for responses to requests that this stack has sent; false when it cannot be sent.
 */
export function passBackStateless(core: Core, response: SipResponse, changes?: HeaderChanges): boolean {
  if (!hasWayBack(response)) return false
  const edited = passBack(response, changes)
  const before = edited.decode('via')
  if (!before.ok) return false
  const { transport, host, port, received, rport } = before.value
  const address: FlowAddress = {
    transport,
    address: received ?? host,
    port: rport ?? port ?? defaultPort(transport),
  }
  const destination: Destination = { kind: 'address', address }
  if (core.egress.entryFor(address) === undefined) return false
  core.driver.out.push({ kind: 'send', bytes: edited.toBytes(), destination, transactionId: undefined })
  return true
}
