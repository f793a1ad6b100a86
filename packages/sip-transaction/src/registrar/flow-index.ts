/** Which outbound bindings came by which connection, so that its end costs what it had and no more (RFC 5626 §5.3). Pure. */
import type { Binding } from './binding'

/** Outbound bindings by connection. Datagram flows have no end that anybody notices, and are left out. */
export class FlowIndex {
  private readonly byFlow = new Map<number, Binding[]>()

  /** Enters a binding, if it is an outbound one over a connection of this process. */
  add(binding: Binding): void {
    if (!isIndexed(binding)) return
    const list = this.byFlow.get(binding.flowId)
    if (list === undefined) this.byFlow.set(binding.flowId, [binding])
    else list.push(binding)
  }

  /** Takes a binding out; before its flow changes. */
  delete(binding: Binding): void {
    const list = this.byFlow.get(binding.flowId)
    const index = list?.indexOf(binding) ?? -1
    if (list === undefined || index < 0) return
    if (list.length === 1) this.byFlow.delete(binding.flowId)
    else list.splice(index, 1)
  }

  /** The bindings of a connection. */
  of(flowId: number): readonly Binding[] {
    return [...(this.byFlow.get(flowId) ?? [])]
  }
}

/** Behind a Path the connection is that of a proxy, whose end says nothing of the device. */
function isIndexed({ regId, path, receivedFrom }: Binding): boolean {
  return regId !== undefined && path.length === 0 && receivedFrom.transport !== 'UDP'
}
