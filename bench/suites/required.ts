/**
 * The ratios that are required, each measured on its own: ours and the peer's in alternate rounds, the median of their
 * ratios. The verdicts come from a first run, before the tables; a second run after them says what is left of it in a
 * process that has seen everything.
 */
import { invite, routedInvite } from '../fixtures/messages.ts'
import { everyHeader } from '../support/every-header.ts'
import { type Comparison, compare } from '../support/measure.ts'
import { decodedWhole, parsed, proxyFields } from '../support/own-parsers.ts'
import { bareConstructor } from '../support/peer-parsers.ts'
import { bareStringify } from '../support/peer-serializers.ts'
import { figure, type Verdict } from '../support/report.ts'
import { forward } from './forward.ts'

const proxyFieldsMax = 0.35
const everyHeaderMax = 1
const forwardMax = 0.25
/** Sofia-SIP, in C, decodes every header of such an INVITE in 2.9 µs where drachtio-sip's constructor takes 5.4. */
const sofiaRatio = 2.9 / 5.4

/** Measures what is required; the aims go into remarks. */
export function measureRequired(): { verdicts: readonly Verdict[]; remarks: readonly string[] } {
  const every = everyHeader(parsed(invite.bytes))
  const bare = bareConstructor(invite)
  const proxy = compare(proxyFields(invite), bare)
  const routed = compare(proxyFields(routedInvite), bareConstructor(routedInvite))
  const whole = compare(decodedWhole(invite, every), bare)
  const forwarded = compare(forward(), bareStringify())
  const decoded = `${every.decodedLines} of ${every.lines} header lines decoded`
  return {
    verdicts: [
      {
        name: `an INVITE with what a proxy needs decoded costs at most ${proxyFieldsMax} times drachtio-sip's bare constructor`,
        isMet: proxy.ratio <= proxyFieldsMax,
        detail: told(proxy),
      },
      {
        name: `an INVITE with every header decoded costs at most ${figure(everyHeaderMax)} times drachtio-sip's bare constructor`,
        isMet: whole.ratio <= everyHeaderMax && every.decodedLines === every.lines,
        detail: `${told(whole)}; ${decoded}`,
      },
      {
        name: `forwarding, to bytes, costs at most ${forwardMax} times npm sip's bare stringify`,
        isMet: forwarded.ratio <= forwardMax,
        detail: told(forwarded),
      },
    ],
    remarks: [
      `the same INVITE with a Route: what a proxy needs costs ${told(routed)} of drachtio-sip's bare constructor`,
      `aim, not required: every header decoded as fast as Sofia-SIP, that is in ${figure(sofiaRatio)} times the constructor: ${whole.ratio <= sofiaRatio ? 'reached' : 'not reached'}, ${told(whole)}`,
    ],
  }
}

function told({ ratio, low, high, firstUs, secondUs }: Comparison): string {
  return `${figure(ratio)} ×, half of the rounds between ${figure(low)} and ${figure(high)}; ${figure(firstUs)} µs against ${figure(secondUs)}`
}
