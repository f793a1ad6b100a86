/** Where a soak run takes place: what its stacks are made of, how time passes there, and how strangers get in. */
import type { SipStackOptions } from '@carillon/sip-transaction'

/** A place for stacks. */
export interface Medium {
  readonly name: string
  /** How long an idle connection lasts there; undefined where it lasts for ever. */
  readonly idleMs: number | undefined
  /** Options of a stack there; each call names places of its own. */
  place(): Partial<SipStackOptions> & Pick<SipStackOptions, 'listen'>
  /** Lets time pass. */
  pass(ms: number): Promise<void>
  /** Something goes wrong between the stacks: connections break. */
  disturb(): void
  /** A stranger sends bytes to one of the listeners, by whichever transport, and is never heard of again. */
  intrude(
    bytes: Uint8Array,
    listeners: readonly { readonly transport: string; readonly address: string; readonly port: number }[],
  ): void
  close(): Promise<void>
}

/** Caps that a run reaches soon, so that what they bound does not look like growth. */
export const smallLimits: NonNullable<SipStackOptions['limits']> = {
  stack: { refusedInvitesMax: 64, inviteAnswerTimeoutMs: 20_000 },
  transport: { datagramFlowsMax: 128 },
  protection: { rateLimitedSourcesMax: 128, throttledHopsMax: 32 },
  locate: { dnsCacheAnswersMax: 32, blockedServersMax: 16 },
}
