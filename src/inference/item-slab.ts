import { Tensor } from "onnxruntime-node";

/**
 * Item rows that the item graph has computed, `[slots, rowWidth] float32`. The slab itself is an input of the request
 * graph, which gathers from it: ONNX Runtime reads a long-lived buffer where it lies, nothing is copied.
 */
export class ItemSlab {
  readonly #rowWidth: number;
  #rows: Float32Array<ArrayBuffer>;
  #tensor: Tensor;

  constructor(rowWidth: number) {
    this.#rowWidth = rowWidth;
    this.#rows = new Float32Array(rowWidth);
    this.#tensor = this.#wrap();
  }

  /** As an input of the request graph, with room for at least so many slots. */
  tensor(slots: number): Tensor {
    if (slots * this.#rowWidth > this.#rows.length) {
      const larger = new Float32Array(slots * this.#rowWidth);
      larger.set(this.#rows);
      this.#rows = larger;
      this.#tensor = this.#wrap();
    }
    return this.#tensor;
  }

  /** @param rows `[slots.length, rowWidth]`, row-major; the slab has room for every slot. */
  put(slots: Int32Array, rows: Float32Array): void {
    const width = this.#rowWidth;
    for (let index = 0; index < slots.length; index++) {
      this.#rows.set(rows.subarray(index * width, (index + 1) * width), (slots[index] as number) * width);
    }
  }

  /** Gives its memory back at once: an idle thread collects no garbage, and a slab can have a hundred megabytes. */
  free(): void {
    this.#rows.buffer.transfer(0);
  }

  #wrap(): Tensor {
    const dims = [this.#rows.length / this.#rowWidth, this.#rowWidth];
    return new Tensor("float32", this.#rows, dims);
  }
}
