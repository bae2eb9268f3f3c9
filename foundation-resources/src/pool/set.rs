//! Pools by name.

use std::any::{Any, type_name};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Arc;

use foundation_types::{Clock, Name};

use super::error::{AddError, FindError, StartInError};
use super::{AsyncFactory, Builder, Factory, MAX_POOLS, Pool, PoolStatus};
use crate::waiting::{Mutex, MutexGuard};

/// Pools of any kinds, each under a name. The names are the set's own: no other set, and nothing else, shares them.
///
/// The set holds handles. A pool that is [removed](Self::remove) is closed; one whose set is dropped lives on while
/// somebody else has a handle. Operations cost O(log pools).
///
/// ```
/// use std::convert::Infallible;
/// use foundation_resources::pool::{self, FromFn, PoolSet};
/// use foundation_types::{Name, SystemClock};
///
/// type Buffers = FromFn<fn() -> Result<Vec<u8>, Infallible>>;
///
/// let (set, name) = (PoolSet::new(), Name::from_static("buffers"));
/// let buffers: Buffers = pool::from_fn(|| Ok(Vec::with_capacity(4096)));
/// set.start(name.clone(), pool::Pool::builder(buffers).size(2))?;
///
/// let pool = set.get::<Buffers, SystemClock>(&name)?;
/// pool.try_checkout()?.push(1);
/// assert_eq!(set.status(&name)?.idle, 2);
///
/// set.remove(&name)?;
/// assert!(pool.try_checkout().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct PoolSet {
    /// Held for one look or change, and never across foreign code.
    pools: Mutex<BTreeMap<Name, Member>>,
}

#[derive(Clone)]
enum Member {
    /// The name is taken; the workers are being made.
    Starting,
    Running(Arc<dyn AnyPool>),
}

/// A pool whose type is not known here.
trait AnyPool: Any + Send + Sync {
    fn status(&self) -> PoolStatus;
    fn close(&self);
    fn type_name(&self) -> &'static str;
}

impl<F: AsyncFactory + 'static, C: Clock> AnyPool for Pool<F, C> {
    fn status(&self) -> PoolStatus {
        Self::status(self)
    }

    fn close(&self) {
        Self::close(self);
    }

    fn type_name(&self) -> &'static str {
        type_name::<Self>()
    }
}

impl PoolSet {
    /// A set without pools.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a pool under a name, which it also has in its events.
    ///
    /// The name is taken while the workers are made, so of two starts under one name at most one makes workers; the pool
    /// is seen when all of them are there.
    ///
    /// # Errors
    /// [`StartInError::Add`] with [`AddError::AlreadyExists`] or [`AddError::TooManyPools`], before any worker is made;
    /// [`StartInError::Start`] if it does not start, and the name is free again.
    ///
    /// # Panics
    /// If the factory does; the name is free again.
    pub fn start<F, C>(
        &self,
        name: Name,
        builder: Builder<F, C>,
    ) -> Result<Pool<F, C>, StartInError<<F as Factory>::Error>>
    where
        F: Factory + 'static,
        C: Clock + Clone,
    {
        let reserved = self.reserve(name.clone())?;
        let pool = builder.name(name).build()?;
        reserved.fill(Arc::new(pool.clone()));
        Ok(pool)
    }

    /// As [`start`](Self::start), without blocking.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    ///
    /// # Cancel safety
    /// Dropping the future retires the workers made until then and frees the name.
    pub async fn start_async<F, C>(
        &self,
        name: Name,
        builder: Builder<F, C>,
    ) -> Result<Pool<F, C>, StartInError<<F as AsyncFactory>::Error>>
    where
        F: AsyncFactory + 'static,
        C: Clock + Clone,
    {
        let reserved = self.reserve(name.clone())?;
        let pool = builder.name(name).build_async().await?;
        reserved.fill(Arc::new(pool.clone()));
        Ok(pool)
    }

    /// Takes a pool that runs already.
    ///
    /// # Errors
    /// [`AddError::AlreadyExists`], [`AddError::TooManyPools`].
    pub fn add<F, C>(&self, name: Name, pool: Pool<F, C>) -> Result<(), AddError>
    where
        F: AsyncFactory + 'static,
        C: Clock,
    {
        self.reserve(name)?.fill(Arc::new(pool));
        Ok(())
    }

    /// The pool of this name and type.
    ///
    /// # Errors
    /// [`FindError::NotFound`], [`FindError::WrongType`].
    pub fn get<F, C>(&self, name: &Name) -> Result<Pool<F, C>, FindError>
    where
        F: AsyncFactory + 'static,
        C: Clock + Clone,
    {
        let pool = self.find(name)?;
        let any: &dyn Any = &*pool;
        any.downcast_ref::<Pool<F, C>>().cloned().ok_or_else(|| FindError::WrongType {
            name: name.clone(),
            stored: pool.type_name(),
            wanted: type_name::<Pool<F, C>>(),
        })
    }

    /// The figures of the pool of this name.
    ///
    /// # Errors
    /// [`FindError::NotFound`].
    pub fn status(&self, name: &Name) -> Result<PoolStatus, FindError> {
        Ok(self.find(name)?.status())
    }

    /// Takes the pool of this name out of the set and [closes](Pool::close) it. The name is free at once, whatever is
    /// still checked out.
    ///
    /// # Errors
    /// [`FindError::NotFound`], also for a pool that is still being started.
    pub fn remove(&self, name: &Name) -> Result<(), FindError> {
        let removed = {
            let mut pools = self.lock();
            match pools.remove(name) {
                Some(Member::Running(pool)) => Some(pool),
                Some(Member::Starting) => {
                    pools.insert(name.clone(), Member::Starting);
                    None
                }
                None => None,
            }
        };
        removed.ok_or_else(|| FindError::NotFound { name: name.clone() })?.close();
        Ok(())
    }

    /// Removes and closes all pools, and says how many there were.
    pub fn remove_all(&self) -> usize {
        let removed: Vec<_> = {
            let mut pools = self.lock();
            pools.extract_if(.., |_, member| matches!(member, Member::Running(_))).collect()
        };
        for (_, member) in &removed {
            if let Member::Running(pool) = member {
                pool.close();
            }
        }
        removed.len()
    }

    /// The names in use, in order.
    pub fn names(&self) -> Vec<Name> {
        let pools = self.lock();
        pools.iter().filter(|(_, member)| matches!(member, Member::Running(_))).map(|(name, _)| name.clone()).collect()
    }

    /// The figures of all pools, in the order of their names. Each is taken at its own moment.
    pub fn statuses(&self) -> Vec<(Name, PoolStatus)> {
        let pools: Vec<_> = self.lock().iter().map(|(name, member)| (name.clone(), member.clone())).collect();
        let running = pools.into_iter().filter_map(|(name, member)| match member {
            Member::Running(pool) => Some((name, pool.status())),
            Member::Starting => None,
        });
        running.collect()
    }

    fn find(&self, name: &Name) -> Result<Arc<dyn AnyPool>, FindError> {
        match self.lock().get(name) {
            Some(Member::Running(pool)) => Ok(Arc::clone(pool)),
            Some(Member::Starting) | None => Err(FindError::NotFound { name: name.clone() }),
        }
    }

    fn reserve(&self, name: Name) -> Result<Reserved<'_>, AddError> {
        let mut pools = self.lock();
        if pools.contains_key(&name) {
            return Err(AddError::AlreadyExists { name });
        }
        if pools.len() >= MAX_POOLS {
            return Err(AddError::TooManyPools);
        }
        pools.insert(name.clone(), Member::Starting);
        Ok(Reserved { set: self, name })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, Member>> {
        self.pools.lock()
    }
}

impl fmt::Debug for PoolSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.statuses()).finish()
    }
}

/// A name that is taken for a pool to come. It is free again when this is dropped before.
struct Reserved<'s> {
    set: &'s PoolSet,
    name: Name,
}

impl Reserved<'_> {
    fn fill(self, pool: Arc<dyn AnyPool>) {
        if let Some(member) = self.set.lock().get_mut(&self.name) {
            *member = Member::Running(pool);
        }
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        let mut pools = self.set.lock();
        if let Entry::Occupied(entry) = pools.entry(self.name.clone())
            && matches!(entry.get(), Member::Starting)
        {
            entry.remove();
        }
    }
}
