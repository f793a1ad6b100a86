/**
 * A registrar at work: the rules of a {@link BindingTable} (RFC 3261 §10.3) with a clock, a store, and whoever wants to
 * know of changes (RFC 3680). What is answered with 200 has been stored before.
 */
import type { Uri } from '@carillon/sip-parser'
import type { Clock, Logger, ScheduledWake } from '../../ports'
import { canonicalAor } from '../../registrar/aor'
import type { Binding, BindingInit } from '../../registrar/binding'
import {
  type BindingChange,
  BindingTable,
  type BindingTableOptions,
  type RegisterResult,
} from '../../registrar/binding-table'
import { describeError } from '../driver'
import type { Handler } from '../options'
import type { IncomingRequest } from '../requests/incoming-request'
import type { SipStack } from '../stack'
import { nodeClock, silentLogger } from '../wire/node-ports'

/** A binding as a store keeps it: its time is that of the wall clock, which a restart does not change. */
export type StoredBinding = BindingInit

/** Where bindings outlive the process. Calls for one address of record come one at a time. */
export interface BindingStore {
  /** All bindings, when the registrar starts. */
  load(): Promise<Iterable<StoredBinding>>
  /**
   * Keeps the bindings of an address of record in place of those before; none when it has gone. A rejection undoes the
   * registration, and answers 500 (RFC 3261 §10.3 step 7).
   */
  save(aor: string, bindings: readonly StoredBinding[]): Promise<void>
}

/** What a {@link Registrar} is made with. */
export interface RegistrarOptions extends BindingTableOptions {
  readonly store?: BindingStore
  readonly clock?: Clock
  readonly logger?: Logger
  /** Told of each change, after it has been stored. */
  readonly onChange?: (change: BindingChange) => void
}

/** Expired bindings are cleared away at most this often; look-ups never show them anyway. */
const clearingMs = 1_000

/** Answers REGISTER, and knows where everybody is. */
export class Registrar {
  private readonly table: BindingTable
  private readonly store: BindingStore | undefined
  private readonly clock: Clock
  private readonly logger: Logger
  private readonly aorOf: (uri: Uri) => string
  private readonly onChange: (change: BindingChange) => void
  /** The last piece of work for an address of record, while there is one. */
  private readonly queues = new Map<string, Promise<unknown>>()
  private wake: ScheduledWake | undefined
  private wakeAtMs = Number.POSITIVE_INFINITY

  constructor(options: RegistrarOptions = {}) {
    const { store, clock = nodeClock, logger = silentLogger, onChange = () => {}, ...tableOptions } = options
    this.table = new BindingTable(tableOptions)
    this.store = store
    this.clock = clock
    this.logger = logger
    this.aorOf = options.aorOf ?? canonicalAor
    this.onChange = onChange
  }

  /** Number of bindings. */
  get size(): number {
    return this.table.size
  }

  /** Reads the store. Rejects as the store does. */
  async load(): Promise<void> {
    if (this.store === undefined) return
    const shiftMs = this.clock.monotonicMs() - this.clock.wallMs()
    for (const stored of await this.store.load())
      this.table.restore({ ...stored, expiresAtMs: stored.expiresAtMs + shiftMs }, this.clock.monotonicMs())
    this.rearm()
  }

  /** Handles REGISTER: put what asks for passwords, and says who may register what, before it. */
  readonly handle: Handler = async (request) => {
    const result = await this.save(request)
    request.reply(result.status, result)
  }

  /** Forgets outbound bindings when their connections close (RFC 5626 §5.3). @returns ends it */
  watch(stack: SipStack): () => void {
    return stack.on('flowClosed', ({ flowId }) => {
      const gone = this.table.removeFlow(flowId)
      for (const aor of new Set(gone.map(({ binding }) => binding.aor))) void this.storeLater(aor)
      this.tell(gone)
    })
  }

  /** Applies a REGISTER. What is to be answered is in the result; a store that fails makes it a 500. */
  save(request: IncomingRequest): Promise<RegisterResult> | RegisterResult {
    const aor = this.aorOf(request.to.uri)
    if (this.store === undefined) return this.finish(this.table.apply(request, this.clock.monotonicMs(), aor))
    return this.inTurn(aor, () => this.saveStored(aor, request))
  }

  /** The bindings of a URI, the most wanted first; see {@link BindingTable.lookup}. */
  lookup(aor: string | Uri): readonly Binding[] {
    return this.table.lookup(aor, this.clock.monotonicMs())
  }

  /** Stops waiting for what expires. */
  close(): void {
    this.wake?.cancel()
    this.wake = undefined
    this.wakeAtMs = Number.POSITIVE_INFINITY
  }

  private async saveStored(aor: string, request: IncomingRequest): Promise<RegisterResult> {
    const before = this.table.lookup(aor, this.clock.monotonicMs()).map((binding) => binding.toInit())
    const result = this.table.apply(request, this.clock.monotonicMs(), aor)
    if (result.changes.length === 0) return result
    try {
      await this.write(aor)
    } catch (error) {
      this.logger.error({ error: describeError(error) }, 'The store of registrations failed')
      const nowMs = this.clock.monotonicMs()
      for (const binding of this.table.lookup(aor, nowMs)) this.table.remove(binding)
      for (const init of before) this.table.restore(init, nowMs)
      return { status: 500, contact: false, headers: [], bindings: this.lookup(aor), changes: [] }
    }
    return this.finish(result)
  }

  private finish(result: RegisterResult): RegisterResult {
    this.tell(result.changes)
    this.rearm()
    return result
  }

  private async write(aor: string): Promise<void> {
    const shiftMs = this.clock.wallMs() - this.clock.monotonicMs()
    const stored = this.lookup(aor).map((binding) => {
      const init = binding.toInit()
      return { ...init, expiresAtMs: init.expiresAtMs + shiftMs }
    })
    await this.store?.save(aor, stored)
  }

  /** Nobody waits for this one: what the store has too much expires by itself. */
  private async storeLater(aor: string): Promise<void> {
    if (this.store === undefined) return
    await this.inTurn(aor, () => this.write(aor)).catch((error: unknown) => {
      this.logger.warn({ error: describeError(error) }, 'The store of registrations failed')
    })
  }

  private inTurn<T>(aor: string, work: () => Promise<T>): Promise<T> {
    const done = (this.queues.get(aor) ?? Promise.resolve()).then(work, work)
    this.queues.set(aor, done)
    const forget = () => {
      if (this.queues.get(aor) === done) this.queues.delete(aor)
    }
    done.then(forget, forget)
    return done
  }

  private tell(changes: readonly BindingChange[]): void {
    for (const change of changes) {
      try {
        this.onChange(change)
      } catch (error) {
        this.logger.error({ error: describeError(error) }, 'A listener of the registrar failed')
      }
    }
  }

  private rearm(): void {
    const dueMs = this.table.deadline()
    if (this.wake !== undefined && this.wakeAtMs <= dueMs) return
    this.wake?.cancel()
    this.wake = undefined
    this.wakeAtMs = dueMs
    if (dueMs === Number.POSITIVE_INFINITY) return
    this.wake = this.clock.schedule(dueMs + clearingMs, () => {
      this.wake = undefined
      const expired: BindingChange[] = []
      this.table.expire(this.clock.monotonicMs(), expired)
      for (const aor of new Set(expired.map(({ binding }) => binding.aor))) void this.storeLater(aor)
      this.tell(expired)
      this.rearm()
    })
  }
}
