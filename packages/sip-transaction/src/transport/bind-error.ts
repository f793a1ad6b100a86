/** Turns what the operating system says about a failed bind into an error that names transport, address and port. */
import { SipTransportError, type TransportErrorCode } from '../errors'
import type { FlowAddress } from '../ports'
import { formatFlowAddress } from './address'

const codes: Readonly<Record<string, TransportErrorCode>> = {
  EADDRINUSE: 'ADDRESS_IN_USE',
  EACCES: 'ADDRESS_FORBIDDEN',
  EPERM: 'ADDRESS_FORBIDDEN',
}

/** The error to reject with; every other cause than a taken or forbidden address means there is no such address here. */
export function bindError(cause: unknown, local: FlowAddress): SipTransportError {
  const errno = (cause as { code?: unknown } | null)?.code
  const code = (typeof errno === 'string' ? codes[errno] : undefined) ?? 'ADDRESS_NOT_AVAILABLE'
  return new SipTransportError(code, formatFlowAddress(local), { cause })
}
