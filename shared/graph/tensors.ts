import type { WeightRecipe } from './types.ts';

/** Names of the model's tensors that a weight is made of. */
export function tensorsOf(recipe: WeightRecipe): string[] {
  switch (recipe.kind) {
    case 'rope':
      return [];
    case 'copy':
      return recipe.tensors;
    case 'rows':
      return [recipe.tensor];
    default:
      return recipe.source.tensors;
  }
}
