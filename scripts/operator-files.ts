// The reader of what an operator puts there for the scripts: one, so that a file system that hangs costs one thread.
import { FileReader } from "../control-plane/src/files/file-reader.js";

export const operatorFiles = new FileReader();
