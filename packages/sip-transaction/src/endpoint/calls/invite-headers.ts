/** What an INVITE of ours says of what it can do: RFC 3261 §20.5, §20.37; RFC 3262 §4. */
import type { HeaderInit } from '@carillon/sip-parser'
import type { Core } from '../core'
import type { InviteOptions } from '../options'

/** Allow, Supported and Require; `reliable` as in {@link InviteOptions}. */
export function inviteHeaders(core: Core, reliable: InviteOptions['reliable'], allow?: string): HeaderInit[] {
  const headers = core.capabilityHeaders(allow, reliable === 'never' ? '100rel' : undefined)
  if (reliable === 'required' && core.capabilities.reliable !== 'never') headers.push(['Require', '100rel'])
  return headers
}
