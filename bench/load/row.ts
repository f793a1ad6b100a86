/** One line of a load table. */
import type { LoadedServer } from './servers.ts'

/** What was found of one server. */
export interface Row {
  readonly server: LoadedServer
  readonly cpuUs: number
  readonly result: string
  /** Cells for the further columns of its table. */
  readonly extra: readonly string[]
}
