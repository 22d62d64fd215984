package io.nightshift.infra.storage;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.PriorityQueue;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** The sorted listings of several storages as one; of an object that several have, the first storage's entry. */
final class MergedListing implements Iterator<StoredObject> {

    private record Head(StoredObject object, int storage) {}

    private final List<Iterator<StoredObject>> listings;
    private final PriorityQueue<Head> heads = new PriorityQueue<>(
            Comparator.<Head, String>comparing(head -> head.object().name()).thenComparing(Head::storage));

    private MergedListing(List<Iterator<StoredObject>> listings) {
        this.listings = listings;
        for (int storage = 0; storage < listings.size(); storage++) {
            advance(storage);
        }
    }

    static Stream<StoredObject> of(List<Storage> storages, String prefix) {
        List<Stream<StoredObject>> streams = new ArrayList<>();
        storages.forEach(storage -> streams.add(storage.list(prefix)));
        var merged = new MergedListing(streams.stream().map(Stream::iterator).toList());
        int ordered = Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.DISTINCT;
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(merged, ordered), false)
                .onClose(() -> streams.forEach(Stream::close));
    }

    @Override
    public boolean hasNext() {
        return !heads.isEmpty();
    }

    @Override
    public StoredObject next() {
        Head first = heads.poll();
        if (first == null) {
            throw new NoSuchElementException();
        }
        advance(first.storage());
        for (Head same = heads.peek();
                same != null && same.object().name().equals(first.object().name());
                same = heads.peek()) {
            heads.poll();
            advance(same.storage());
        }
        return first.object();
    }

    private void advance(int storage) {
        Iterator<StoredObject> listing = listings.get(storage);
        if (listing.hasNext()) {
            heads.add(new Head(listing.next(), storage));
        }
    }
}
