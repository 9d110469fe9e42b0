import { NetworkError, type Transport } from '@capstan/kube-client';

/** What watches go through: it can be cut, and mended. */
export class WatchLine {
  #cuts = new Set<AbortController>();
  #isCut = false;

  cut(): void {
    this.#isCut = true;
    for (const cut of this.#cuts) cut.abort(new TypeError('cut'));
  }

  mend(): void {
    this.#isCut = false;
  }

  over(inner: Transport): Transport {
    return {
      server: inner.server,
      close: () => inner.close(),
      request: async (request) => {
        if (!request.path.includes('watch=1')) return inner.request(request);
        if (this.#isCut) throw new NetworkError(inner.server, new TypeError('cut'));
        const cut = new AbortController();
        this.#cuts.add(cut);
        const signals = [cut.signal, ...(request.signal === undefined ? [] : [request.signal])];
        const response = await inner.request({ ...request, signal: AbortSignal.any(signals) });
        return { ...response, body: this.#carry(response.body, cut, inner.server) };
      },
    };
  }

  async *#carry(
    body: AsyncIterable<Uint8Array>,
    cut: AbortController,
    server: string,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* body;
    } catch (error) {
      throw cut.signal.aborted ? new NetworkError(server, error) : error;
    } finally {
      this.#cuts.delete(cut);
    }
  }
}
